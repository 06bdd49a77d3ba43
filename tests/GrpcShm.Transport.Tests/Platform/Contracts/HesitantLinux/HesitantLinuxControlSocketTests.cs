using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantLinux;

public sealed class HesitantLinuxControlSocketTests() : ControlSocketContract(new HesitantMake(new LinuxMake()));
