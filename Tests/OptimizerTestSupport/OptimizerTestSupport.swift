// The traces of the tests are those of the verification.
@_exported import FisherVerification
