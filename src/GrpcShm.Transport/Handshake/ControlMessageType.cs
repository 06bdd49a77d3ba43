namespace GrpcShm.Transport.Handshake;

/// <summary>The types of messages over the control socket.</summary>
internal enum ControlMessageType : ushort
{
    ClientHello = 1,
    ServerHello = 2,
    Refusal = 3,
    Ready = 4,
    Close = 5,
}
