namespace GrpcShm.Transport.Calls;

/// <summary>The thing for which a peer has let a call wait too long.</summary>
internal enum Overdue
{
    None,

    /// <summary>The rest of a block of headers or trailers.</summary>
    Block,

    /// <summary>Data that a reader waits for.</summary>
    Data,

    /// <summary>Credit: the peer does not take the data that has been sent.</summary>
    Credit,
}
