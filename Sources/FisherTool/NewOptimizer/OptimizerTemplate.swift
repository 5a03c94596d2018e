/// What a new optimizer starts from: one that works.
enum OptimizerTemplate: String {
  /// Momentum with decoupled decay, by an update rule.
  case elementwise
  /// The gradient times the inverse of a running average of h·hᵀ, by captures.
  case layerwise

  /// - Parameter isPackage: of a package that imports all of FisherKit; a module of FisherKit itself imports what is below
  ///   it.
  func method(_ name: OptimizerName, isPackage: Bool) -> String {
    let imports =
      isPackage
      ? "public import FisherKit\nimport FisherLinearAlgebra"
      : "import FisherCurvature\npublic import FisherLinearAlgebra\npublic import FisherOptimizers"
    return (self == .elementwise ? Self.elementwiseMethod : Self.layerwiseMethod)
      .replacing("__IMPORTS__", with: imports).filled(name)
  }

  func reference(_ name: OptimizerName, isPackage: Bool) -> String {
    let imports = isPackage ? "import FisherKit" : "import FisherCurvature\nimport FisherOptimizers"
    return (self == .elementwise ? Self.elementwiseReference : Self.layerwiseReference)
      .replacing("__NAIVE__", with: imports).filled(name)
  }

  /// A proof that runs with `swift test`.
  func test(_ name: OptimizerName, module: String) -> String {
    """
    import FisherVerification
    import \(module)
    import Testing

    @Suite struct __TYPE__Tests {
      @Test func holdsWhatItsRecordDeclares() {
        for finding in Battery.verify(Subject(__TYPE__.self)) {
          #expect(finding.passed, "\\(finding.check): \\(finding.detail)")
        }
      }

      @Test(arguments: Mutation.allCases.filter { $0.applies(to: __TYPE__.record) })
      func wrongFormsAreRejected(mutation: Mutation) {
        #expect(Battery.rejection(of: mutation, __TYPE__.self) != nil)
      }
    }

    """.filled(name)
  }

  func page(_ name: OptimizerName, isPackage: Bool) -> String {
    let command = isPackage ? "swift run -c release fisher-__NAME__" : "fisher"
    return """
      # __TYPE__

      What the method does, in a sentence; the paper; its update in the paper's letters.

      ```sh
      \(command) verify __NAME__ --mutants
      \(command) train --optimizer __NAME__
      ```

      ## Where the defaults come from

      A row for each hyper-parameter: the paper's section, or the grid that was run.

      ## Deviations

      What differs from the paper, and why.

      """.filled(name)
  }

  func manifest(_ name: OptimizerName, fisherKit: String) -> String {
    let isAddress = fisherKit.contains("://") || fisherKit.hasPrefix("git@")
    let place =
      isAddress
      ? "url: \(literal(fisherKit)), branch: \"main\"" : "name: \"FisherKit\", path: \(literal(fisherKit))"
    return """
      // swift-tools-version: 6.2
      import PackageDescription

      let package = Package(
        name: "__NAME__",
        platforms: [.macOS(.v15)],
        products: [.library(name: "__TYPE__Optimizer", targets: ["__TYPE__Optimizer"])],
        dependencies: [.package(\(place))],
        targets: [
          .target(name: "__TYPE__Optimizer", dependencies: [.product(name: "FisherKit", package: "FisherKit")]),
          // The whole command line, which knows the optimizer like a built-in one.
          .executableTarget(
            name: "fisher-__NAME__",
            dependencies: ["__TYPE__Optimizer", .product(name: "FisherTool", package: "FisherKit")]),
          .testTarget(
            name: "__TYPE__OptimizerTests",
            dependencies: ["__TYPE__Optimizer", .product(name: "FisherVerification", package: "FisherKit")]),
        ]
      )

      """.filled(name)
  }

  func program(_ name: OptimizerName) -> String {
    """
    import FisherTool
    import __TYPE__Optimizer

    Fisher.main(optimizers: [__TYPE__.self])

    """.filled(name)
  }

  /// A string as Swift writes it.
  private func literal(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

extension String {
  fileprivate func filled(_ name: OptimizerName) -> String {
    replacing("__TYPE__", with: name.type).replacing("__NAME__", with: name.text)
  }
}
