namespace GrpcShm.Fuzz;

/// <summary>A target found something not to be as it always has to be.</summary>
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
