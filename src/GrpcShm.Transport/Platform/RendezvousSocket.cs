namespace GrpcShm.Transport.Platform;

/// <summary>Owns an endpoint's name and accepts those who connect to it.</summary>
internal abstract class RendezvousSocket : IDisposable
{
    /// <summary>Reported by a <see cref="Poller"/> when there may be a client.</summary>
    public abstract IPollSource Source { get; }

    /// <summary>What is unusual about how the name was taken; <see langword="null"/> if nothing is.</summary>
    public abstract RendezvousRemark? Remark { get; }

    /// <summary>
    /// Takes the next client. Does not block. After <see langword="null"/> the <see cref="Source"/> is reported as soon
    /// as there is another.
    /// </summary>
    /// <returns>The client, or <see langword="null"/> if there is none.</returns>
    /// <exception cref="IOException">
    /// The system lacks handles or memory. The client is still there: try again later.
    /// </exception>
    public abstract ControlSocket? Accept();

    /// <summary>
    /// Takes the next client by what is kept back for the time when the system has no handles left, tells it why it has
    /// to go, and lets go of it. Does not block.
    /// </summary>
    /// <param name="message">What to tell it.</param>
    /// <returns>Who it was, or <see langword="null"/> if there was none, or not even this could be done.</returns>
    public abstract SharedMemoryPeer? Refuse(ReadOnlySpan<byte> message);

    /// <summary>Gives the name back, so that another process can listen on it at once.</summary>
    public abstract void Dispose();
}
