// The umbrella: `import FisherKit` brings what a program computes and trains with, and every optimizer of the package.
// The property battery is `import FisherVerification`, the linear algebra alone `import FisherLinearAlgebra`.
@_exported import FisherCurvature
@_exported import FisherDistributed
@_exported import FisherLinearAlgebra
@_exported import FisherNetworks
@_exported import FisherOptimizers
@_exported import FisherPluginAdaFisher
@_exported import FisherPluginAdaHessian
@_exported import FisherPluginEKFAC
@_exported import FisherPluginFOOF
@_exported import FisherPluginFirstOrder
@_exported import FisherPluginImprovedEmpiricalFisher
@_exported import FisherPluginKBFGS
@_exported import FisherPluginKFAC
@_exported import FisherPluginMiniBlockFisher
@_exported import FisherPluginMuon
@_exported import FisherPluginPSGD
@_exported import FisherPluginParts
@_exported import FisherPluginSOAP
@_exported import FisherPluginShampoo
@_exported import FisherPluginSophia
@_exported import FisherPluginTNT
@_exported import FisherTraining
