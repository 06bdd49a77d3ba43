namespace GrpcShm.Messages;

/// <summary>Says in a status what an exception is, as grpc-dotnet says it on either side.</summary>
/// <remarks>Compiled into the libraries of both sides.</remarks>
internal static class ExceptionText
{
    /// <summary>Gives type and message of an exception, and of each of its causes.</summary>
    public static string Describe(Exception exception)
    {
        var text = $"{exception.GetType().Name}: {exception.Message}";
        for (var cause = exception.InnerException; cause is not null; cause = cause.InnerException)
        {
            text += $" {cause.GetType().Name}: {cause.Message}";
        }

        return text;
    }
}
