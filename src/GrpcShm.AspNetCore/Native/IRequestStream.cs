namespace GrpcShm.AspNetCore.Native;

/// <summary>The stream of requests of a call, as the call sees it.</summary>
internal interface IRequestStream
{
    /// <summary>
    /// From now on the input may be read past the stream, by the body of an HTTP request: between two messages it stays
    /// open no more. Any thread.
    /// </summary>
    void Share();
}
