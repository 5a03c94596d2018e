/// State that lies in a basis of eigenvectors, which turns now and then; the mutants of verification leave it behind.
public struct Eigenbasis: Sendable {
  /// The slots of the bases on both sides of a matrix: X is U_L·X̃·U_Rᵀ.
  public let left, right: String
  /// Eigenvectors are the rows of the slots, not the columns.
  public let areRows: Bool
  /// Running averages that turn with the basis.
  public let turning: [String]
  /// Second moments, of which each belongs to a pair of eigenvectors and goes where they go.
  public let following: [String]

  public init(
    left: String, right: String, areRows: Bool = false, turning: [String] = [], following: [String]
  ) {
    self.left = left
    self.right = right
    self.areRows = areRows
    self.turning = turning
    self.following = following
  }
}
