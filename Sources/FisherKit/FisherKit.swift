// The umbrella: `import FisherKit` brings every public module.
@_exported import FisherLinearAlgebra
