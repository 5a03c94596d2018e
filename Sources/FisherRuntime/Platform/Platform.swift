// The C library of the platform, imported here and nowhere else: whoever imports FisherRuntime sees it too.

#if canImport(Glibc)
  @_exported public import Glibc
#elseif canImport(Musl)
  @_exported public import Musl
#elseif canImport(Darwin)
  @_exported public import Darwin
#endif
