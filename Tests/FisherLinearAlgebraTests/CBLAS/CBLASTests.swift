import FisherLinearAlgebra
import FisherTestSupport
import Testing

/// OpenBLAS if it is installed.
enum InstalledOpenBLAS {
  static let isAvailable = (try? CBLASBackend(library: "openblas")) != nil
  static let hint: Comment = "OpenBLAS is not installed: apt-get install libopenblas-dev"
}

@Suite(.enabled(if: InstalledOpenBLAS.isAvailable, InstalledOpenBLAS.hint))
struct CBLASLibraryTests {
  @Test func itSaysWhatItIs() throws {
    let blas = try CBLASBackend(library: "openblas")
    #expect(blas.version.hasPrefix("OpenBLAS 0."))
    #expect(blas.name == "cblas " + blas.version)
    #expect(blas.core?.isEmpty == false)
    #expect(blas.path.contains("openblas"))
    #expect(blas.missingSymbols.isEmpty && blas.canSetThreads)
  }

  @Test func aPathIsAName() throws {
    let blas = try CBLASBackend(library: "openblas")
    #expect(try CBLASBackend(library: blas.path).library === blas.library)
  }

  @Test func discoveryFindsItOnce() throws {
    let found = CBLASBackend.discover()
    #expect(found.contains { $0.version.hasPrefix("OpenBLAS") })
    #expect(Set(found.map(\.path)).count == found.count)
  }

  @Test func severalCoresLiveInOneProcess() throws {
    let detected = try CBLASBackend(library: "openblas", fallback: LoopBackend())
    #if arch(x86_64)
      let forced = try CBLASBackend(library: "openblas@nehalem", fallback: LoopBackend())
      #expect(forced.core == "Nehalem")
      #expect(forced.path == detected.path)
      #expect(try CBLASBackend(library: "openblas").core == detected.core)
      var c = Matrix<Double>(rows: 2, columns: 2)
      gemm([[1, 2], [3, 4]], [[0, 1], [1, 0]], into: &c, on: forced)
      #expect(c == [[2, 1], [4, 3]])
    #endif
    // Which core it takes instead depends on the machine.
    let error = #expect(throws: CBLASError.self) { try CBLASBackend(library: "openblas@NoSuchCore") }
    #expect(error?.description.hasPrefix("\(detected.path) does not accept the core 'NoSuchCore'") == true)
  }
}

@Suite struct CBLASErrorTests {
  @Test func missingLibrariesAreNamed() {
    let error = #expect(throws: CBLASError.self) { try CBLASBackend(library: "nosuchblas") }
    guard case .notFound("nosuchblas", let tried, let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(tried == ["libnosuchblas.so", "nosuchblas"])
    #expect(!reason.isEmpty)
    #expect(error?.description.contains("libnosuchblas.so, nosuchblas") == true)
    #expect(throws: CBLASError.self) { try CBLASBackend(library: "/no/such/libopenblas.so") }
  }

  #if os(Linux)
    @Test func otherLibrariesAreRefused() {
      #expect(throws: CBLASError.notCBLAS(path: "libm.so.6")) { try CBLASBackend(library: "libm.so.6") }
    }
  #endif

  @Test func coresAreSplitFromNames() {
    #expect(CBLASLibrary.split("openblas") == ("openblas", nil))
    #expect(CBLASLibrary.split("openblas@Zen") == ("openblas", "Zen"))
    #expect(CBLASLibrary.split("/opt/a@b/libx.so") == ("/opt/a@b/libx.so", nil))
    #expect(CBLASLibrary.split("/opt/a@b/libx.so@Zen") == ("/opt/a@b/libx.so", "Zen"))
  }

  @Test func numbersTravelInTheLowBytes() {
    #expect(CBLASNumber(Float(-1.5)).register.bitPattern == UInt64(Float(-1.5).bitPattern))
    #expect(CBLASNumber(-1.5).register == -1.5)
    #expect(Float(register: Double(bitPattern: 0xffff_ffff_0000_0000 | UInt64(Float(2.5).bitPattern))) == 2.5)
    #expect(Double(register: 2.5) == 2.5)
  }
}
