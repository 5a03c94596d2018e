// The umbrella: `import FisherKit` brings every public module.
@_exported import FisherCurvature
@_exported import FisherLinearAlgebra
@_exported import FisherNetworks
@_exported import FisherOptimizers
@_exported import FisherTraining
