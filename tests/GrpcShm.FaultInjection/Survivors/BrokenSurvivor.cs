using System.Collections.Concurrent;
using Grpc.Core;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Platform;

namespace GrpcShm.FaultInjection.Survivors;

/// <summary>Breaks this process as a client, if asked to, to show that a run finds such a fault.</summary>
internal sealed class BrokenSurvivor : IDisposable
{
    private const int LeftBytes = 64 * 1024;

    private readonly Breakage _breakage;
    private readonly ConcurrentBag<IDisposable> _left = [];
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public BrokenSurvivor(Breakage breakage)
    {
        _breakage = breakage;
        if (breakage == Breakage.Leak)
        {
            FaultPoint.Reached = LeaveBehind;
        }
    }

    /// <summary>The end of a call as its caller sees it, and the time.</summary>
    public async Task<Status> TellAsync(Status status)
    {
        switch (_breakage)
        {
            case Breakage.Hang:
                await _over.Task;
                return status;
            case Breakage.Status:
                return new Status(StatusCode.Internal, "Broken on purpose.");
            default:
                return status;
        }
    }

    public void Dispose()
    {
        FaultPoint.Reached = null;
        _over.SetResult();
        foreach (var left in _left)
        {
            left.Dispose();
        }
    }

    private void LeaveBehind(FaultStep step)
    {
        if (step != FaultStep.SocketClosed)
        {
            return;
        }

        var memory = TransportPlatform.Current.Allocate(LeftBytes);
        memory.Grant.Dispose();
        _left.Add(memory.Mapping);
        _left.Add(TransportPlatform.Current.CreateDoorbell());
        new Thread(_over.Task.Wait) { IsBackground = true, Name = "GrpcShm left" }.Start();
    }
}
