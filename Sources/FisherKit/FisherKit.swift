// The umbrella: `import FisherKit` brings every public module and every optimizer of the package.
@_exported import FisherCurvature
@_exported import FisherLinearAlgebra
@_exported import FisherNetworks
@_exported import FisherOptimizers
@_exported import FisherPluginAdaFisher
@_exported import FisherPluginFirstOrder
@_exported import FisherPluginImprovedEmpiricalFisher
@_exported import FisherPluginMiniBlockFisher
@_exported import FisherTraining
@_exported import FisherVerification
