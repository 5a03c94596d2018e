// swift-tools-version: 6.2
// Adan as a package of its own: method, record and naive reference, and a program that is the whole command line with it.
import PackageDescription

let package = Package(
  name: "my-adan",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "FisherKit", path: "../..")],
  targets: [
    .target(name: "MyAdanOptimizer", dependencies: [.product(name: "FisherKit", package: "FisherKit")]),
    .executableTarget(
      name: "fisher-my-adan",
      dependencies: ["MyAdanOptimizer", .product(name: "FisherTool", package: "FisherKit")]),
  ]
)
