using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Rendezvous;

/// <summary>No server takes connections on an endpoint at present.</summary>
/// <remarks>
/// It has no inner exception: the status of a gRPC call shows the messages of all of them. A call that waits for its
/// server throws one of these for each attempt, and nobody reads them. So the reason is looked for when the message is
/// read for the first time.
/// </remarks>
internal sealed class NoServerException : IOException
{
    private readonly SharedMemoryEndPoint _endPoint;
    private readonly ServerAbsence? _absence;
    private readonly RecentReason? _recent;

    // Written by any reader. Two readers may both look for the reason.
    private volatile string? _message;

    /// <summary>For an endpoint on which nobody listens.</summary>
    public NoServerException(SharedMemoryEndPoint endPoint, ServerAbsence absence, RecentReason recent)
    {
        _endPoint = endPoint;
        _absence = absence;
        _recent = recent;
    }

    /// <summary>For a server that does not answer.</summary>
    public NoServerException(SharedMemoryEndPoint endPoint, TimeSpan timeout)
    {
        _endPoint = endPoint;
        _message = $"The server on '{endPoint}' did not answer within {timeout}. It may be stopped or overloaded: try "
            + "again, or set a longer ConnectTimeout.";
    }

    /// <summary>True if there is a server, which does not answer.</summary>
    public bool IsSilent => _absence is null;

    public override string Message => _message ??= $"No server listens on '{_endPoint}': {_recent!.Find(_absence!)}";
}
