import MyAdanOptimizer
import FisherTool

Fisher.main(optimizers: [MyAdan.self])
