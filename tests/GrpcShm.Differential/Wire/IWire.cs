using GrpcShm.Differential.Requests;

namespace GrpcShm.Differential.Wire;

/// <summary>A connection whose user writes each frame. One thread.</summary>
internal interface IWire : IDisposable
{
    /// <summary>Why the connection has ended, or <see langword="null"/>.</summary>
    string? Ended { get; }

    /// <summary>Sends all of a request but its reset.</summary>
    WireCall Send(GeneratedRequest request, string mark);

    void Reset(WireCall call);

    /// <summary>Takes what has come, and waits for it if there is nothing yet.</summary>
    void Receive(int milliseconds);
}
