using Grpc.Core;

namespace GrpcShm.Client.Native;

/// <summary>
/// The same call as grpc-dotnet makes it: direct mode did not carry it after all. What messages it has, the two calls
/// hand each other.
/// </summary>
/// <param name="headers">The headers of the response, when they come.</param>
/// <param name="getStatus">Gives the status, or throws.</param>
/// <param name="getTrailers">Gives the trailers, or throws.</param>
internal sealed class OtherCall(Task<Metadata> headers, Func<Status> getStatus, Func<Metadata> getTrailers)
{
    public Task<Metadata> Headers => headers;

    /// <summary>Finds the status; nothing if the call has not ended.</summary>
    public Status? FindStatus()
    {
        try
        {
            return getStatus();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <exception cref="InvalidOperationException">The call has not ended in order.</exception>
    /// <exception cref="FormatException">A field that is said to be binary is not Base64.</exception>
    public Metadata GetTrailers() => getTrailers();
}
