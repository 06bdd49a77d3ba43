using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Completion;

/// <summary>A doorbell that puts each ring directly into the owner's queue.</summary>
internal sealed class CompletionDoorbell : Doorbell
{
    private readonly CompletionHandle _handle;
    private readonly Bell _bell;

    public CompletionDoorbell(CompletionHandle handle, Bell bell) => (_handle, _bell) = (handle, bell);

    public override IPollSource Source => _bell.Source;

    public override SafeHandle Grant => _handle;

    public override void Ring() => _bell.Source.Report();

    public override void Dispose() => _handle.Dispose();

    /// <summary>The object to which the handles of both sides refer.</summary>
    internal sealed class Bell : IDisposable
    {
        public CompletionSource Source { get; } = new();

        public void Dispose() => Source.Detach();
    }
}
