import FisherTool

Fisher.main()
