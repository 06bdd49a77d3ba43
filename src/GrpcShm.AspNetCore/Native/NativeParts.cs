using GrpcShm.AspNetCore.Direct;
using GrpcShm.AspNetCore.Native.Diagnostics;
using GrpcShm.Messages;

namespace GrpcShm.AspNetCore.Native;

/// <summary>
/// What native calls need and need not make anew: it is pooled with the object that serves the calls.
/// </summary>
internal sealed class NativeParts(ServerCall call, NativeMethod method)
{
    /// <summary>Takes messages out of the request.</summary>
    public MessageReader Reader { get; } = new(method.Settings.MaxReceived, method.Settings.Compression);

    /// <summary>Writes messages into the response.</summary>
    public MessageWriter Writer { get; } = new(method.Settings.MaxSent);

    /// <summary>Ends the call at its deadline.</summary>
    public CallDeadline Deadline { get; } = new(call.Connection.Application.Time);

    /// <summary>Tells of the call.</summary>
    public RequestDiagnostics Diagnostics { get; } = new(call, method.Surroundings.Host);

    /// <summary>Sets what counts for the next call.</summary>
    public void Set(ServiceSettings next)
    {
        Reader.Set(next.MaxReceived, next.Compression);
        Writer.MaxSize = next.MaxSent;
    }
}
