using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;

namespace GrpcShm.TestHost.Faults;

/// <summary>Fails to watch another descriptor on demand.</summary>
internal sealed class FaultyPoller(Poller inner, FaultSwitch faults) : Poller
{
    public override void Add(SafeHandle handle, ulong token)
    {
        faults.ThrowIf(FaultSwitch.Watch);
        inner.Add(handle, token);
    }

    public override void Remove(SafeHandle handle) => inner.Remove(handle);

    public override int Wait(Span<PollEvent> events, int milliseconds)
    {
        faults.ThrowIf(FaultSwitch.Wait);
        return inner.Wait(events, milliseconds);
    }

    public override void Wake() => inner.Wake();

    public override void Pause() => inner.Pause();

    public override void Dispose() => inner.Dispose();
}
