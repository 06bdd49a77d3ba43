namespace GrpcShm.Transport.Signaling;

/// <summary>What those need of a <see cref="SignaledOperation{TResult}"/> who do not care what it gives.</summary>
internal interface ISignaledOperation
{
    bool IsWaiting { get; }

    /// <summary>Says that something has changed which may complete the operation. Any thread.</summary>
    /// <param name="onReactor">Whether this is a reactor's thread and its turn, so that continuations may run
    /// here.</param>
    void Signal(bool onReactor);

    /// <summary>Allows no further operation, and runs something as soon as none is under way any more, once.</summary>
    void Seal(Action afterLast);
}
