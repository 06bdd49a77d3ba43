using GrpcShm.Differential.Requests;

namespace GrpcShm.Differential.Wire;

/// <summary>A connection whose user writes each frame. For one thread.</summary>
internal interface IWire : IDisposable
{
    /// <summary>The reason why the connection has ended, or <see langword="null"/>.</summary>
    string? Ended { get; }

    /// <summary>Sends a whole request, without its reset.</summary>
    WireCall Send(GeneratedRequest request, string mark);

    void Reset(WireCall call);

    /// <summary>Takes all received frames, and waits for a frame if there is none yet.</summary>
    void Receive(int milliseconds);
}
