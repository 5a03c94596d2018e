// swift-tools-version: 6.2
// 6.2 is the floor: from this version on, `unsafeFlags` are accepted in versioned dependencies,
// and the kernel modules need them to name their instruction set.
import PackageDescription

/// Optimised modules are compiled as a whole in debug builds too: file by file the same work is done several times.
let wholeModule = ["-disable-batch-mode", "-whole-module-optimization", "-num-threads", "2"]

/// Each function is a section of its own, so that the linker can leave out what nobody calls: the unspecialised forms of
/// generic functions are a third of the code.
let sections = ["-Xfrontend", "-function-sections"]

/// Kernels run at full speed in debug builds too, check nothing, and may use the named instruction set.
///
/// Three quarters of their compile time would go into passes that look for redundant memory accesses in Swift's own
/// intermediate language, in time that grows with the square of an unrolled tile. LLVM does that work
/// afterwards: without these passes there are as many multiply-adds, and the code is as large to a tenth of a percent.
func kernelFlags(_ machine: String...) -> [SwiftSetting] {
  let redundant = [
    "redundant-load-elimination", "early-redundant-load-elimination", "dead-store-elimination",
    "loop-invariant-code-motion",
  ]
  return [
    .unsafeFlags(
      ["-Ounchecked"] + wholeModule + sections + redundant.flatMap { ["-Xllvm", "-sil-disable-pass=" + $0] }
        + machine.flatMap { ["-Xcc", $0] })
  ]
}

/// The drivers and the naive references are optimised in debug builds as well, with every check kept.
let optimised: [SwiftSetting] = [.unsafeFlags(["-O"] + wholeModule + sections)]

/// Tests spend their time in the modules that they test: their own text is compiled quickly.
let unoptimised: [SwiftSetting] = [.unsafeFlags(["-Onone"])]

/// What prints, draws and reads arguments: small rather than fast.
let small: [SwiftSetting] = [.unsafeFlags(["-Osize"] + sections, .when(configuration: .release))]

/// FisherLinearAlgebra finds the kernels when a program is linked, not when it is compiled: it and what stands on it need not wait
/// for them. Of modules that are ready the package manager takes the last name of the alphabet first, and these two
/// are to fill the gaps.
#if arch(x86_64)
  let instructionSets: [Target] = [
    .target(
      name: "AVX512Kernels", dependencies: ["KernelTemplates"],
      swiftSettings: kernelFlags("-march=x86-64-v4")),
    .target(
      name: "AVX2Kernels", dependencies: ["KernelTemplates"],
      swiftSettings: kernelFlags("-march=x86-64-v3")),
    .target(
      name: "PortableKernels", dependencies: ["KernelTemplates"], swiftSettings: kernelFlags()),
  ]
#else
  let instructionSets: [Target] = [
    .target(
      name: "PortableKernels", dependencies: ["KernelTemplates"], swiftSettings: kernelFlags())
  ]
#endif

/// The optimizers: a folder in Plugins each, with its tests.
let plugins = [
  "FirstOrder", "AdaFisher", "AdaHessian", "EKFAC", "FOOF", "ImprovedEmpiricalFisher", "KBFGS", "KFAC",
  "MiniBlockFisher",
  "Muon", "PSGD", "Parts", "SOAP", "Shampoo", "Sophia", "TNT",
]

/// Programs to read and run: a folder each in Examples.
let examples = [
  "01-multiply", "02-solve", "03-small-matrices", "04-train", "05-your-own-data", "06-your-own-optimizer",
]

let package = Package(
  name: "FisherKit",
  platforms: [.macOS(.v15), .iOS(.v18), .tvOS(.v18), .watchOS(.v11), .visionOS(.v2)],
  products: [
    .library(name: "FisherKit", targets: ["FisherKit"]),
    .library(name: "FisherLinearAlgebra", targets: ["FisherLinearAlgebra", "FisherKernels"]),
    .library(name: "FisherVerification", targets: ["FisherVerification"]),
    // The command line, for programs that bring optimizers of their own.
    .library(name: "FisherTool", targets: ["FisherTool"]),
    .executable(name: "fisher", targets: ["fisher"]),
  ],
  targets: [
    // Implementation: generic SIMD text, and one module of instantiations per instruction set.
    // Threads, scratch memory, facts about the machine: no linear algebra.
    .target(
      name: "FisherRuntime", swiftSettings: optimised + [.enableExperimentalFeature("BuiltinModule")]),
    .target(
      name: "KernelTemplates", dependencies: ["FisherRuntime"],
      // Its own object is never run, only what other modules make of the text: LLVM need not optimise it. Most functions
      // are emitted only there; what is left are witnesses and the copying of values without types.
      swiftSettings: optimised + [
        .unsafeFlags(["-Xfrontend", "-disable-llvm-optzns"]), .enableExperimentalFeature("BuiltinModule"),
      ]),
  ] + instructionSets + [
    // The table of the kernels: whatever is linked with FisherLinearAlgebra depends on it.
    .target(
      name: "FisherKernels",
      dependencies: ["FisherRuntime", "KernelTemplates"] + instructionSets.map { .byName(name: $0.name) },
      swiftSettings: optimised),
    // Public API.
    .target(
      name: "FisherLinearAlgebra", dependencies: ["FisherRuntime", "KernelTemplates"],
      swiftSettings: optimised + [.enableExperimentalFeature("BuiltinModule")]),
    .target(
      name: "FisherCurvature", dependencies: ["FisherLinearAlgebra", "FisherRuntime"],
      swiftSettings: optimised),
    // What plugins in shared libraries are written against: a header, nothing to link.
    .systemLibrary(name: "FisherPluginABI", path: "Sources/FisherPluginABI"),
    .target(
      name: "FisherOptimizers",
      dependencies: ["FisherCurvature", "FisherLinearAlgebra", "FisherPluginABI", "FisherRuntime"],
      swiftSettings: optimised + [.enableExperimentalFeature("BuiltinModule")]),
    .target(
      name: "FisherNetworks", dependencies: ["FisherCurvature", "FisherLinearAlgebra", "FisherRuntime"],
      swiftSettings: optimised),
    // Ranks that compute together: knows no linear algebra.
    .target(name: "FisherDistributed", dependencies: ["FisherRuntime"], swiftSettings: optimised),
    .target(
      name: "FisherTraining",
      dependencies: [
        "FisherCurvature", "FisherDistributed", "FisherLinearAlgebra", "FisherNetworks", "FisherOptimizers",
        "FisherRuntime",
      ],
      swiftSettings: optimised),
    .target(
      name: "FisherVerification",
      dependencies: [
        "FisherCurvature", "FisherKernels", "FisherLinearAlgebra", "FisherNetworks", "FisherOptimizers",
        "FisherRuntime", "FisherTraining", "KernelTemplates",
      ], swiftSettings: optimised),
    .target(
      name: "FisherKit",
      dependencies: [
        "FisherCurvature", "FisherDistributed", "FisherKernels", "FisherLinearAlgebra", "FisherNetworks",
        "FisherOptimizers", "FisherTraining",
      ] + plugins.map { .byName(name: "FisherPlugin" + $0) }),
  ]
    + plugins.flatMap { name -> [Target] in
      [
        .target(
          name: "FisherPlugin" + name, dependencies: ["FisherOptimizers", "FisherRuntime"],
          path: "Plugins/" + name,
          exclude: ["Tests", name + ".md"], swiftSettings: optimised),
        .testTarget(
          name: "FisherPlugin" + name + "Tests",
          dependencies: [
            .byName(name: "FisherPlugin" + name), "FisherOptimizers", "FisherRuntime", "OptimizerTestSupport",
            "FisherTestSupport",
          ] + (name == "Parts" ? ["FisherPluginFirstOrder"] : []),
          path: "Plugins/" + name + "/Tests", swiftSettings: unoptimised),
      ]
    } + [
      // Tools.
      .target(
        name: "FisherCommandLine", dependencies: ["FisherRuntime", "FisherTraining"], swiftSettings: small),
      .target(
        name: "FisherPages", dependencies: ["FisherCommandLine", "FisherRuntime"], swiftSettings: small),
      .target(
        name: "FisherBenchmarks",
        dependencies: ["FisherCommandLine", "FisherKit", "FisherPages", "FisherRuntime"],
        path: "Benchmarks/FisherBenchmarks", swiftSettings: optimised),
      .target(
        name: "FisherComparison",
        dependencies: ["FisherCommandLine", "FisherKit", "FisherPages", "FisherRuntime"],
        swiftSettings: optimised),
      .target(
        name: "FisherTool",
        dependencies: [
          "FisherBenchmarks", "FisherCommandLine", "FisherComparison", "FisherKit", "FisherPages",
          "FisherRuntime",
          "FisherVerification",
        ], swiftSettings: small),
      .executableTarget(
        name: "fisher", dependencies: ["FisherTool"],
        // Functions of the same code are kept once.
        linkerSettings: [.unsafeFlags(["-Xlinker", "--icf=safe"], .when(platforms: [.linux]))]),
    ]
    + examples.map { name -> Target in
      .executableTarget(
        name: name, dependencies: ["FisherKit", "FisherLinearAlgebra", "FisherVerification"],
        path: "Examples/" + name)
    } + [
      // Tests.
      .target(
        name: "FisherTestSupport",
        dependencies: ["FisherDistributed", "FisherKernels", "FisherLinearAlgebra", "FisherRuntime"],
        path: "Tests/FisherTestSupport", swiftSettings: optimised),
      .target(
        name: "OptimizerTestSupport",
        dependencies: ["FisherLinearAlgebra", "FisherOptimizers", "FisherTestSupport", "FisherVerification"],
        path: "Tests/OptimizerTestSupport", swiftSettings: optimised),
      .testTarget(
        name: "FisherOptimizersTests",
        dependencies: [
          "FisherOptimizers", "FisherPluginFirstOrder", "FisherRuntime", "OptimizerTestSupport",
          "FisherTestSupport",
        ],
        swiftSettings: optimised),
      .testTarget(
        name: "FisherRuntimeTests", dependencies: ["FisherRuntime", "FisherTestSupport"],
        swiftSettings: unoptimised),
      .testTarget(
        name: "FisherDistributedTests",
        dependencies: ["FisherDistributed", "FisherRuntime", "FisherTestSupport"],
        swiftSettings: unoptimised),
      .testTarget(
        name: "FisherLinearAlgebraTests",
        dependencies: ["FisherLinearAlgebra", "FisherRuntime", "FisherTestSupport", "KernelTemplates"],
        // Its oracles loop over elements.
        swiftSettings: optimised),
      .testTarget(
        name: "FisherVerificationTests", dependencies: ["FisherKit", "FisherRuntime", "FisherVerification"],
        swiftSettings: optimised),
      .testTarget(
        name: "FisherCurvatureTests",
        dependencies: ["FisherCurvature", "FisherLinearAlgebra", "FisherTestSupport"],
        swiftSettings: unoptimised),
      .testTarget(
        name: "FisherNetworksTests", dependencies: ["FisherNetworks", "FisherRuntime", "FisherTestSupport"],
        swiftSettings: unoptimised),
      .testTarget(
        name: "FisherTrainingTests",
        dependencies: [
          "FisherDistributed", "FisherKit", "FisherTraining", "FisherRuntime", "FisherTestSupport",
        ]
          + plugins.map { .byName(name: "FisherPlugin" + $0) },
        swiftSettings: unoptimised),
      .testTarget(
        name: "FisherComparisonTests",
        dependencies: ["FisherCommandLine", "FisherComparison", "FisherKit", "FisherPages", "FisherRuntime"],
        swiftSettings: unoptimised),
      .testTarget(name: "KernelGateTests", dependencies: ["FisherKernels"], swiftSettings: unoptimised),
      .testTarget(
        name: "FisherToolsTests",
        dependencies: [
          "FisherBenchmarks", "FisherCommandLine", "FisherKit", "FisherLinearAlgebra", "FisherRuntime",
          "FisherTool", "fisher",
        ], swiftSettings: unoptimised),
    ]
)
