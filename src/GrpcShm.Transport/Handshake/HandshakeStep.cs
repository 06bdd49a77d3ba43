using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Handshake;

/// <summary>
/// Goes on with a handshake when a message has come. The step runs on the reactor's thread, since to wake another
/// thread takes longer than the step. The reactor's leader is away meanwhile: the step may run foreign code (the code
/// that waits for the connection, a logger), and the rings are served on, whatever that code does.
/// </summary>
internal sealed class HandshakeStep(ControlChannel channel) : ReactorWork
{
    private int _isScheduled;

    /// <summary>Decides where the steps of all handshakes of this process run.</summary>
    public static RunProfile Steps { get; } = new(RunMode.Adaptive);

    public override RunProfile Profile => Steps;

    /// <summary>Schedules the step, unless it is scheduled already.</summary>
    public void ScheduleOnce()
    {
        if (Interlocked.Exchange(ref _isScheduled, 1) == 0)
        {
            Schedule();
        }
    }

    public override void Run()
    {
        // First cleared, then looked: a message that comes from now on has a step of its own.
        Interlocked.Exchange(ref _isScheduled, 0);
        channel.Signal(onReactor: true);
    }
}
