using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// A <see cref="Reactor"/> tells its targets that their doorbell rang or that their socket has something to receive.
/// </summary>
internal interface IReactorTarget
{
    /// <summary>The logger for events that concern this target, if it has one.</summary>
    ILogger? Logger => null;

    /// <summary>
    /// Handles what has happened since the last call. On the reactor's thread: it must not block, and it must take
    /// everything, since the event is not repeated.
    /// </summary>
    void OnReady(Reactor reactor);

    /// <summary>
    /// Ends everything that depends on this target, since <see cref="OnReady"/> has thrown, which it should not do.
    /// </summary>
    void OnFault(Exception exception);

    /// <summary>
    /// Ends everything that depends on this target, or registers it again, since the reactor has failed and has dropped
    /// the registration. The failure has been logged already. On a thread that leads no reactor.
    /// </summary>
    void OnReactorFailed(ReactorFailedException failure) => OnFault(failure);
}
