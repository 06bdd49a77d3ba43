namespace GrpcShm.Transport.Signaling;

/// <summary>Who is told by a <see cref="Reactor"/> that its doorbell rang or that its socket has something.</summary>
internal interface IReactorTarget
{
    /// <summary>
    /// Something happened since the last call, on the reactor's thread: must not block, and must take all there is,
    /// since the event is not repeated.
    /// </summary>
    void OnReady(Reactor reactor);

    /// <summary><see cref="OnReady"/> threw, which it should not have: end what depends on it.</summary>
    void OnFault(Exception exception);
}
