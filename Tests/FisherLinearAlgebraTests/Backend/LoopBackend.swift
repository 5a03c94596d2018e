import FisherLinearAlgebra
import Synchronization

/// Plain loops, to test what stands in front of a backend; it writes down which routines were called.
struct LoopBackend: Backend {
  final class Log: Sendable {
    private let names = Mutex<[String]>([])
    func add(_ name: String) { names.withLock { $0.append(name) } }
    var all: [String] { names.withLock { $0 } }
  }

  let log = Log()
  var name: String { "loops" }

  func gemm<S: KernelScalar>(_ call: Gemm<S>, threads: Int) {
    log.add("gemm")
    for i in 0..<call.c.rows {
      for j in 0..<call.c.columns {
        var sum: S = call.beta == 0 ? 0 : call.beta * call.c[i, j]
        if call.alpha != 0 {
          sum += call.alpha * (0..<call.a.columns).reduce(0) { $0 + call.a[i, $1] * call.b[$1, j] }
        }
        switch call.epilogue.bias {
        case .none: break
        case .row(let values): sum += values[j]
        case .column(let values): sum += values[i]
        }
        switch call.epilogue.activation {
        case .identity: break
        case .relu: sum = sum > 0 ? sum : 0
        case .leakyRelu(let slope): sum = sum > 0 ? sum : slope * sum
        }
        call.c[i, j] = sum
      }
    }
  }

  func gemm<S: KernelScalar>(group: UnsafeBufferPointer<Gemm<S>>, threads: Int) {
    log.add("group")
    for call in group { gemm(call, threads: threads) }
  }

  func gemm<S: KernelScalar>(
    first: Gemm<S>, count: Int, batchStrides: (a: Int, b: Int, c: Int), threads: Int
  ) {
    log.add("batch")
    var call = first
    for _ in 0..<count {
      gemm(call, threads: threads)
      call.a.base += batchStrides.a
      call.b.base += batchStrides.b
      call.c.base += batchStrides.c
    }
  }

  func syrk<S: KernelScalar>(_ call: Syrk<S>, threads: Int) {
    log.add("syrk")
    for i in 0..<call.c.rows {
      for j in 0...i {
        let (r, s) = call.triangle == .lower ? (i, j) : (j, i)
        var sum: S = call.beta == 0 ? 0 : call.beta * call.c[r, s]
        if call.alpha != 0 {
          sum += call.alpha * (0..<call.a.columns).reduce(0) { $0 + call.a[i, $1] * call.a[j, $1] }
        }
        call.c[r, s] = sum
        if call.mirror { call.c[s, r] = sum }
      }
    }
  }

  func symm<S: KernelScalar>(_ call: Symm<S>, threads: Int) {
    log.add("symm")
    for i in 0..<call.c.rows {
      for j in 0..<call.c.columns {
        var sum: S = call.beta == 0 ? 0 : call.beta * call.c[i, j]
        for p in 0..<call.a.rows where call.alpha != 0 {
          let stored = (call.triangle == .lower) == (p <= i)
          sum += call.alpha * (stored ? call.a[i, p] : call.a[p, i]) * call.b[p, j]
        }
        call.c[i, j] = sum
      }
    }
  }

  func gemv<S: KernelScalar>(_ call: Gemv<S>, threads: Int) {
    log.add("gemv")
    for i in 0..<call.a.rows {
      var sum: S = call.beta == 0 ? 0 : call.beta * call.y[i]
      for j in 0..<call.a.columns where call.alpha != 0 { sum += call.alpha * call.a[i, j] * call.x[j] }
      call.y[i] = sum
    }
  }

  func ger<S: KernelScalar>(
    alpha: S, x: VectorPointer<S>, y: VectorPointer<S>, a: MutableMatrixPointer<S>, threads: Int
  ) {
    log.add("ger")
    for i in 0..<a.rows {
      for j in 0..<a.columns where alpha != 0 { a[i, j] += alpha * x[i] * y[j] }
    }
  }

  func dot<S: KernelScalar>(_ x: VectorPointer<S>, _ y: VectorPointer<S>) -> S {
    log.add("dot")
    return (0..<x.count).reduce(0) { $0 + x[$1] * y[$1] }
  }

  func axpy<S: KernelScalar>(alpha: S, x: VectorPointer<S>, y: MutableVectorPointer<S>) {
    log.add("axpy")
    for i in 0..<x.count where alpha != 0 { y[i] += alpha * x[i] }
  }

  func scal<S: KernelScalar>(alpha: S, x: MutableVectorPointer<S>) {
    log.add("scal")
    for i in 0..<x.count { x[i] = alpha == 0 ? 0 : alpha * x[i] }
  }

  func nrm2<S: KernelScalar>(_ x: VectorPointer<S>) -> S {
    log.add("nrm2")
    return (0..<x.count).reduce(0) { $0 + x[$1] * x[$1] }.squareRoot()
  }

  func asum<S: KernelScalar>(_ x: VectorPointer<S>) -> S {
    log.add("asum")
    return (0..<x.count).reduce(0) { $0 + abs(x[$1]) }
  }

  func iamax<S: KernelScalar>(_ x: VectorPointer<S>) -> Int? {
    log.add("iamax")
    if let i = (0..<x.count).first(where: { x[$0].isNaN }) { return i }
    let largest = (0..<x.count).map { abs(x[$0]) }.max()
    return (0..<x.count).first { abs(x[$0]) == largest }
  }

  func copy<S: KernelScalar>(_ source: MatrixPointer<S>, to target: MutableMatrixPointer<S>) {
    log.add("copy")
    for i in 0..<source.rows {
      for j in 0..<source.columns { target[i, j] = source[i, j] }
    }
  }
}
