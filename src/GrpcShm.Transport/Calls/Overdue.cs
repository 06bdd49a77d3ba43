namespace GrpcShm.Transport.Calls;

/// <summary>What a peer has let a call wait for too long.</summary>
internal enum Overdue
{
    None,

    /// <summary>The rest of a block of headers or trailers.</summary>
    Block,

    /// <summary>Data that a reader waits for.</summary>
    Data,

    /// <summary>That the data is taken which has been sent.</summary>
    Credit,
}
