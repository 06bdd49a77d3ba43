namespace GrpcShm.Differential.Hosting;

/// <summary>How the application reads a request's body.</summary>
internal enum Reading
{
    /// <summary>To its end, by the pipe.</summary>
    Pipe,

    /// <summary>To its end, by the stream, in small pieces.</summary>
    Stream,

    /// <summary>Not at all.</summary>
    Nothing,

    /// <summary>To its end, with less allowed than the body may have.</summary>
    Limited,

    /// <summary>By the stream, without waiting, which is forbidden by default.</summary>
    Synchronously,

    /// <summary>One read, and no more.</summary>
    Once,

    /// <summary>To its end, and then once more.</summary>
    Beyond,
}
