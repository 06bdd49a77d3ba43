namespace GrpcShm.Samples.Comparison;

/// <summary>An error of which the user needs to see only the message.</summary>
internal sealed class ComparisonException(string message, Exception? innerException = null)
    : Exception(message, innerException);
