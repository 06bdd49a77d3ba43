namespace GrpcShm.Transport.Calls;

/// <summary>Makes the calls that a server receives.</summary>
internal interface ICallAcceptor
{
    /// <summary>Whether it takes another one right now. By the thread that receives.</summary>
    bool MayAccept => true;

    /// <summary>
    /// Gives a call that is as new; it has to be <see cref="CallStream.Attach"/>ed by the caller. By the thread that
    /// receives.
    /// </summary>
    /// <returns>None if it takes none any more.</returns>
    CallStream? Accept();
}
