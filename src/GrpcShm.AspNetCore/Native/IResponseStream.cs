namespace GrpcShm.AspNetCore.Native;

/// <summary>A stream of responses, whatever its messages are.</summary>
internal interface IResponseStream
{
    /// <summary>Refuses messages from now on. Any thread.</summary>
    void Complete();
}
