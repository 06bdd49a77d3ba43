namespace GrpcShm.Fuzz;

/// <summary>A target found that a condition does not hold that must always hold.</summary>
internal sealed class FuzzFailureException : Exception
{
    public FuzzFailureException(string message)
        : base(message)
    {
    }

    public static void ThrowIf(bool failed, string message)
    {
        if (failed)
        {
            throw new FuzzFailureException(message);
        }
    }
}
