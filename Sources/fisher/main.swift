import FisherKit
print("fisher")
