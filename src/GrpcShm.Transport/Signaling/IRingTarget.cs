namespace GrpcShm.Transport.Signaling;

/// <summary>A target with rings that a <see cref="Reactor"/> may look at by itself, without a doorbell.</summary>
internal interface IRingTarget : IReactorTarget
{
    /// <summary>How many bytes went through its rings since the last call.</summary>
    long TakeProgress();

    /// <summary>Spares the peer its doorbells: until <see cref="EndSpin"/> the reactor looks by itself.</summary>
    /// <returns>
    /// Whether anything here waits for the peer. Only then may <see cref="Peek"/> be called, and then
    /// <see cref="EndSpin"/> must be called.
    /// </returns>
    bool BeginSpin();

    /// <summary>Whether <see cref="IReactorTarget.OnReady"/> would find something.</summary>
    bool Peek();

    /// <summary>Asks the peer for doorbells again, unless there is something to do.</summary>
    /// <returns>
    /// Whether there is something to do. Then <see cref="IReactorTarget.OnReady"/> must be called soon, since the peer
    /// may ring no more until then. It is looked for once more after asking: the peer rings no doorbell for bytes that
    /// it published before it could see the request.
    /// </returns>
    bool EndSpin();
}
