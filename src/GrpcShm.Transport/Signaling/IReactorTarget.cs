using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Signaling;

/// <summary>Who is told by a <see cref="Reactor"/> that its doorbell rang or that its socket has something.</summary>
internal interface IReactorTarget
{
    /// <summary>Where the reactor logs what concerns this target, if it has a log.</summary>
    ILogger? Logger => null;

    /// <summary>
    /// Something happened since the last call, on the reactor's thread: must not block, and must take all there is,
    /// since the event is not repeated.
    /// </summary>
    void OnReady(Reactor reactor);

    /// <summary><see cref="OnReady"/> threw, which it should not have: end what depends on it.</summary>
    void OnFault(Exception exception);

    /// <summary>
    /// The reactor has failed, which has been logged already, and this target is registered no more: end what depends
    /// on it, or register again. On a thread that leads no reactor.
    /// </summary>
    void OnReactorFailed(ReactorFailedException failure) => OnFault(failure);
}
