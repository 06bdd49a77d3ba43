namespace GrpcShm.Transport.Signaling;

/// <summary>A target with rings that a <see cref="Reactor"/> may look at by itself, without a doorbell.</summary>
internal interface IRingTarget : IReactorTarget
{
    /// <summary>How many bytes went through its rings since the last call.</summary>
    long TakeProgress();

    /// <summary>Spares the peer its doorbells: until <see cref="EndSpin"/> the reactor looks by itself.</summary>
    /// <returns>
    /// Whether anything here waits for the peer. Only then may <see cref="Peek"/> be called, and must
    /// <see cref="EndSpin"/>.
    /// </returns>
    bool BeginSpin();

    /// <summary>Whether <see cref="IReactorTarget.OnReady"/> would find something.</summary>
    bool Peek();

    /// <summary>Asks the peer for doorbells again.</summary>
    /// <returns>
    /// Whether there is something, looked at after asking: for what was published before the peer could see the
    /// request there is no doorbell.
    /// </returns>
    bool EndSpin();
}
