namespace GrpcShm.Transport;

/// <summary>Which end of a connection this process is.</summary>
internal enum ConnectionRole
{
    Client,
    Server,
}
