using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantLinux;

public sealed class HesitantLinuxNameTests() : NameContract(new HesitantMake(new LinuxMake()));
