public import FisherOptimizers
import FisherPluginAdaFisher
import FisherPluginAdaHessian
import FisherPluginEKFAC
import FisherPluginFOOF
import FisherPluginFirstOrder
import FisherPluginImprovedEmpiricalFisher
import FisherPluginKBFGS
import FisherPluginKFAC
import FisherPluginMiniBlockFisher
import FisherPluginMuon
import FisherPluginPSGD
import FisherPluginParts
import FisherPluginSOAP
import FisherPluginShampoo
import FisherPluginSophia
import FisherPluginTNT
import Synchronization

extension OptimizerRegistry {
  /// The optimizers that come with the package, and the parts that go around them: a line for each.
  public static let builtIn: OptimizerRegistry = {
    do throws(RegistryError) {
      return try OptimizerRegistry(
        [
          SGD.self,
          AdaGrad.self,
          RMSprop.self,
          Adam.self,
          AdamW.self,
          NAdam.self,
          Adan.self,
          ScheduleFreeAdamW.self,
          Lion.self,
          Adafactor.self,
          AdaHessian.self,
          Sophia.self,
          AdaFisher.self,
          AdaFisherW.self,
          ImprovedEmpiricalFisher.self,
          EmpiricalFisher.self,
          SampledFisher.self,
          NaturalGradient.self,
          SPRING.self,
          KFAC.self,
          FOOF.self,
          EKFAC.self,
          TNT.self,
          KBFGS.self,
          MiniBlockFisher.self,
          Muon.self,
          Shampoo.self,
          SOAP.self,
          PSGD.self,
        ],
        parts: [
          WarmUp.self,
          ScheduledRate.self,
          ClipValue.self,
          ClipNorm.self,
          ClipLayer.self,
          ClipKL.self,
          Momentum.self,
          Decay.self,
          Caution.self,
          TrustRatio.self,
          Graft<SGD>.self,
          EMA.self,
          PolyakAverage.self,
          ScheduleFree.self,
        ])
    } catch {
      fatalError("OptimizerRegistry: \(error)")
    }
  }()

  /// Optimizers that the program has added to the built-in ones.
  private static let added = Mutex<(types: [any Optimizer.Type], parts: [any OptimizerPart.Type])>(([], []))

  /// Adds an optimizer to those that the tools know by name: for programs that bring their own.
  ///
  /// - Throws: ``RegistryError`` if another has the name.
  public static func install(_ type: any Optimizer.Type) throws(RegistryError) {
    var registry = installed
    try registry.register(type)
    added.withLock { $0.types.append(type) }
  }

  /// Adds a part to those that the tools know by name.
  ///
  /// - Throws: ``RegistryError`` if another has the name.
  public static func install(_ part: any OptimizerPart.Type) throws(RegistryError) {
    var registry = installed
    try registry.register(part)
    added.withLock { $0.parts.append(part) }
  }

  /// The built-in optimizers and those that the program has installed.
  public static var installed: OptimizerRegistry {
    var registry = builtIn
    let (types, parts) = added.withLock { $0 }
    do throws(RegistryError) {
      for type in types { try registry.register(type) }
      for part in parts { try registry.register(part) }
    } catch { fatalError("OptimizerRegistry: \(error)") }
    return registry
  }

  /// The installed optimizers, and those of a shared library if a path is given.
  ///
  /// - Throws: ``PluginError`` if it cannot be loaded, ``RegistryError`` if it takes a name that is there.
  public static func installed(plugin path: String?) throws -> OptimizerRegistry {
    var registry = installed
    if let path { for type in try PluginLibrary.load(path) { try registry.register(type) } }
    return registry
  }
}
