using GrpcShm.AspNetCore.Direct;
using GrpcShm.Messages;

namespace GrpcShm.AspNetCore.Native;

/// <summary>What native calls need and need not make anew: it is pooled with the object that serves the calls.</summary>
internal sealed class NativeParts(ServerCall call, ServiceSettings settings)
{
    /// <summary>Takes messages out of the request.</summary>
    public MessageReader Reader { get; } = new(settings.MaxReceived, settings.Compression);

    /// <summary>Writes messages into the response.</summary>
    public MessageWriter Writer { get; } = new(settings.MaxSent);

    /// <summary>Ends the call at its deadline.</summary>
    public CallDeadline Deadline { get; } = new(call.Connection.Application.Time);

    /// <summary>Sets what counts for the next call.</summary>
    public void Set(ServiceSettings next)
    {
        Reader.Set(next.MaxReceived, next.Compression);
        Writer.MaxSize = next.MaxSent;
    }
}
