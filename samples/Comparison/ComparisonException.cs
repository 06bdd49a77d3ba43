namespace GrpcShm.Samples.Comparison;

/// <summary>An error whose message is all that a user needs to see.</summary>
internal sealed class ComparisonException(string message, Exception? innerException = null)
    : Exception(message, innerException);
