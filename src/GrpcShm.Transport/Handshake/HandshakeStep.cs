using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Handshake;

/// <summary>
/// Goes on with a handshake when a message has come: on the reactor's thread, since to wake another one takes longer
/// than a step does, but with the reactor given up meanwhile. What follows may be foreign code (who waits for the
/// connection, a logger), and whatever it does, the rings are served on.
/// </summary>
internal sealed class HandshakeStep(ControlChannel channel) : ReactorWork
{
    private int _isScheduled;

    /// <summary>What is known of the steps of all handshakes of this process.</summary>
    public static RunProfile Steps { get; } = new(RunMode.Adaptive);

    public override RunProfile Profile => Steps;

    /// <summary>Lets the step run, unless it is about to.</summary>
    public void ScheduleOnce()
    {
        if (Interlocked.Exchange(ref _isScheduled, 1) == 0)
        {
            Schedule();
        }
    }

    public override void Run()
    {
        // First free, then look: what comes from now on has a step of its own.
        Interlocked.Exchange(ref _isScheduled, 0);
        channel.Signal(onReactor: true);
    }
}
