namespace GrpcShm.Transport.Calls;

/// <summary>What a call of a server lends to its handler, or takes over from it. Any thread.</summary>
internal interface ICallBound
{
    /// <summary>True once the call's end has nothing to do with it any more.</summary>
    bool IsOver { get; }

    /// <summary>Gives it back, since the call has ended, unless the handler has taken it over.</summary>
    void EndWithCall();
}
