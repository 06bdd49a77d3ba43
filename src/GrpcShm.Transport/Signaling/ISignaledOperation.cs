namespace GrpcShm.Transport.Signaling;

/// <summary>The members of a <see cref="SignaledOperation{TResult}"/> that do not depend on its result.</summary>
internal interface ISignaledOperation
{
    bool IsWaiting { get; }

    /// <summary>Says that a condition has changed that may complete the operation. Any thread.</summary>
    /// <param name="onReactor">Whether this is a reactor's thread and its turn, so that continuations may run
    /// here.</param>
    void Signal(bool onReactor);

    /// <summary>
    /// Allows no further operation, and runs an action once, as soon as no operation is under way any more.
    /// </summary>
    void Seal(Action afterLast);
}
