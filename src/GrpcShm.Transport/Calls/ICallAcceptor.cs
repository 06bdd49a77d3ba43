namespace GrpcShm.Transport.Calls;

/// <summary>Makes the calls that a server receives.</summary>
internal interface ICallAcceptor
{
    /// <summary>Whether another call is taken right now. By the thread that receives.</summary>
    bool MayAccept => true;

    /// <summary>
    /// Gives a fresh stream; the caller has to <see cref="CallStream.Attach"/> it. By the thread that receives.
    /// </summary>
    /// <returns><see langword="null"/> if no calls are taken any more.</returns>
    CallStream? Accept();
}
