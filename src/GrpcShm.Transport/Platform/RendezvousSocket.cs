namespace GrpcShm.Transport.Platform;

/// <summary>Owns an endpoint's name and accepts the clients that connect to it.</summary>
internal abstract class RendezvousSocket : IDisposable
{
    /// <summary>A <see cref="Poller"/> reports this source when there may be a client.</summary>
    public abstract IPollSource Source { get; }

    /// <summary>A remark if something was unusual when the name was taken; else <see langword="null"/>.</summary>
    public abstract RendezvousRemark? Remark { get; }

    /// <summary>
    /// Takes the next client. Does not block. After <see langword="null"/> the <see cref="Source"/> is reported as soon
    /// as another client comes.
    /// </summary>
    /// <returns>The client, or <see langword="null"/> if there is none.</returns>
    /// <exception cref="IOException">
    /// The system lacks handles or memory. The client is still there: try again later.
    /// </exception>
    public abstract ControlSocket? Accept();

    /// <summary>
    /// Takes the next client with a handle that is reserved for the time when the system has no handles left. Tells the
    /// client the reason, and closes its connection. Does not block.
    /// </summary>
    /// <param name="message">The message to the client.</param>
    /// <returns>The client, or <see langword="null"/> if there was none, or if even this was not possible.</returns>
    public abstract SharedMemoryPeer? Refuse(ReadOnlySpan<byte> message);

    /// <summary>Gives the name back, so that another process can listen on it at once.</summary>
    public abstract void Dispose();
}
