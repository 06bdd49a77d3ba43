namespace GrpcShm.Transport.Handshake;

/// <summary>What a message over the control socket is.</summary>
internal enum ControlMessageType : ushort
{
    ClientHello = 1,
    ServerHello = 2,
    Refusal = 3,
    Ready = 4,
    Close = 5,
}
