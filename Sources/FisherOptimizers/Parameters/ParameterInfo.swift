public import FisherCurvature

// Parameters are what networks and optimizers both speak of, so they are declared below both.

public typealias ParameterRole = FisherCurvature.ParameterRole
public typealias ParameterInfo = FisherCurvature.ParameterInfo
